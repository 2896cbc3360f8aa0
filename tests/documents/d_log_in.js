await fetch(`${API_BASE}/api/v2/auth/login/`, {
  method: 'POST',
  headers: {
    'Content-Type': 'application/json',
    'X-Client-Version': 'frontend@1.0.0'
  },
  body: JSON.stringify({ username: 'me', password: 'secret' }),
  credentials: 'include' // if backend sets cookies
});
