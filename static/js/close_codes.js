/* Made by `python -m realtime.close_codes`; do not edit. */

export const CloseCode = Object.freeze({
  GOING_AWAY: 1001,
  PROTOCOL_ERROR: 1002,
  NOT_UTF8: 1007,
  TOO_LARGE: 1009,
  SERVER_FAILED: 1011,
  BAD_MESSAGES: 4400,
  NOT_SIGNED_IN: 4401,
  NOT_ALLOWED: 4403,
  NOT_FOUND: 4404,
  SIGN_IN_TIMEOUT: 4408,
  TOO_MANY: 4429,
  TOO_SLOW: 4503,
});
