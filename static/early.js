/*
 * Asks for what every visit begins with while the page's modules are on their way: http.js takes these answers in
 * the place of its own first requests. Whoever is not signed in is asked nothing, and a link that was mailed is
 * followed first.
 */
(function () {
  "use strict";

  if (!document.cookie.split("; ").includes("signed_in=1") || /^#(reset|link|verify|second-factor)\?/.test(location.hash)) return;

  var asked = globalThis.taskroomEarly = new Map();

  function ask(method, path, headers, body) {
    headers.Accept = "application/json";
    var answer = fetch(path, { method: method, headers: headers, body: body, credentials: "include", cache: "no-store" })
      .then(function (response) {
        return response.text().then(function (text) { return { response: response, text: text }; });
      });
    asked.set(method + " " + path, answer);
    return answer;
  }

  ask("POST", "/api/auth/token/refresh/", { "Content-Type": "application/json" }, "{}").then(function (answer) {
    if (!answer.response.ok) return;
    var authorization = "Bearer " + JSON.parse(answer.text).access;
    [
      "/api/users/profile/",
      "/api/chat/rooms/?with_default=true&page=1&page_size=100"
    ].forEach(function (path) {
      ask("GET", path, { Authorization: authorization }).catch(function () {}); // told where it is taken
    });
  }).catch(function () {});
})();
