/*
 * The page is written in modules, and browsers refuse modules from file://.
 * This classic script is what both ways of opening the page can run: served
 * pages load the modules next to it, a page opened from disk first asks for a
 * server and loads the modules from there.
 */
(function () {
  "use strict";

  var app = document.getElementById("app");
  var MAIN = "static/js/main.js";

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

  function askForServer() {
    var form = make("form", { class: "card door-form boot" });
    var problem = make("p", { class: "problem", role: "alert" });
    var field = make("input", {
      id: "boot-server", class: "input", type: "url", required: "",
      value: "http://127.0.0.1:8000", "data-testid": "server"
    });
    form.append(
      make("h1", { class: "door-title" }, "Taskroom protocol"),
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
      run(server + "/" + MAIN, { server: server, fromDisk: true }).catch(function () {
        problem.textContent = "No Taskroom server answers at " + server + ".";
      });
    });
    var main = make("main", { class: "door" });
    main.append(form);
    app.replaceChildren(main);
    field.focus();
  }

  if (location.protocol === "file:") {
    askForServer();
  } else {
    run(new URL("/" + MAIN, location.href).href, { server: location.origin, fromDisk: false }).catch(function (error) {
      console.error(error);
      app.replaceChildren(make("p", { class: "splash", role: "alert" }, "The page could not be loaded. Please reload it."));
    });
  }
})();
