/*
 * The page is written in modules, and browsers refuse modules from file://.
 * This classic script is what both ways of opening the page can run: served
 * pages load the modules next to it, a page opened from disk first asks for a
 * server and loads the modules from there.
 */
(function () {
  "use strict";

  var app = document.getElementById("app");

  function run(source, options) {
    return import(source).then(function (main) {
      return main.start(app, options);
    });
  }

  function make(tag, attributes, text) {
    var element = document.createElement(tag);
    Object.keys(attributes).forEach(function (name) {
      element.setAttribute(name, attributes[name]);
    });
    if (text) element.textContent = text;
    return element;
  }

  function splash(text) {
    app.replaceChildren(make("p", { class: "splash", role: "alert" }, text));
  }

  function askForServer() {
    var form = make("form", { class: "card boot" });
    var problem = make("p", { class: "problem", role: "alert" });
    var field = make("input", {
      id: "boot-server", class: "input", type: "url", required: "",
      value: "http://127.0.0.1:8000", "data-testid": "server"
    });
    form.append(
      make("h1", { class: "boot-title" }, "Taskroom"),
      make("p", { class: "hint" }, "This page was opened from disk. Which server should it talk to?"),
      make("label", { class: "label", for: "boot-server" }, "Server address"),
      field,
      problem,
      make("button", { class: "button primary", type: "submit", "data-testid": "load" }, "Continue")
    );
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      problem.textContent = "";
      var server = new URL(field.value).origin;
      run(server + "/static/js/main.js", { server: server, fromDisk: true }).catch(function () {
        problem.textContent = "No Taskroom server answers at " + server + ".";
      });
    });
    app.replaceChildren(form);
    field.focus();
  }

  if (location.protocol === "file:") {
    askForServer();
  } else {
    run("./js/main.js", { server: location.origin, fromDisk: false }).catch(function (error) {
      console.error(error);
      splash("Taskroom could not be loaded. Please reload the page.");
    });
  }
})();
