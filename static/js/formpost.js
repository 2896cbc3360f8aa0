/* A form with files on its way to the server, told how far it is, and able to be called back. */
import { ApiError, refusal } from "./http.js";

function sendOnce({ server, token, path, form, progress, started }) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const away = (code) => () => failed(new ApiError({ detail: `${server} does not answer.`, code }));
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onload = () => {
      const answer = request.response;
      if (request.status < 400) return done(answer);
      return failed(refusal({ status: request.status, headers: { get: (name) => request.getResponseHeader(name) } }, answer));
    };
    request.onerror = away("unreachable");
    request.onabort = away("cancelled");
    request.open("POST", new URL(path, server));
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    started(() => request.abort());
    request.send(form);
  });
}

/** post(path, form, {progress(fraction), started(abort)}): what is called back is refused with the code "cancelled". */
export const formPoster = (session) => async (path, form, { progress, started }) => {
  const send = async () => sendOnce({ server: session.server, token: await session.freshToken(), path, form, progress, started });
  return send().catch(async (error) => {
    if (error.status !== 401 || !(await session.renew())) throw error;
    return send();
  });
};
