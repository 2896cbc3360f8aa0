import axios from 'axios';

const API_BASE = process.env.REACT_APP_API_URL || 'http://127.0.0.1:8000';

const api = axios.create({
  baseURL: API_BASE,
  headers: {
    'Content-Type': 'application/json',
    'X-Client-Version': 'frontend@1.0.0' // add a client version header
  },
  withCredentials: true // if using cookies for refresh
});

// attach access token
api.interceptors.request.use(config => {
  const token = getAccessToken(); // implement retrieval
  if (token) config.headers.Authorization = `Bearer ${token}`;
  return config;
});

// response interceptor to attempt refresh on 401
api.interceptors.response.use(
  res => res,
  async err => {
    const original = err.config;
    if (err.response && err.response.status === 401 && !original._retry) {
      original._retry = true;
      try {
        // attempt refresh; endpoint may vary, confirm with backend
        const resp = await api.post('/api/v2/auth/token/refresh/', { refresh: getRefreshToken() });
        setAccessToken(resp.data.access);
        original.headers.Authorization = `Bearer ${resp.data.access}`;
        return api(original);
      } catch (refreshErr) {
        // fallback: sign out and redirect to login
        signOutFrontend();
        return Promise.reject(refreshErr);
      }
    }
    return Promise.reject(err);
  }
);

export default api;
