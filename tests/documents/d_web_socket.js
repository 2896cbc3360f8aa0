const WS_BASE = process.env.REACT_APP_WS_URL || 'ws://127.0.0.1:8000';
const token = getAccessToken();
const ws = new WebSocket(`${WS_BASE}/ws/health/?token=${encodeURIComponent(token)}`);

ws.onopen = () => console.log('ws open');
ws.onmessage = (e) => console.log('msg', e.data);
ws.onclose = () => console.log('closed');
