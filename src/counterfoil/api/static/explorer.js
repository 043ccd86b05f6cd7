// Lists the operations of openapi.json and sends requests with the key that was typed.
// Everything is put in as text: nothing from the document or an answer is ever parsed as HTML.
"use strict";

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

// Text in which `words` are shown as code.
const told = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", { textContent: part }) : part));

const resolve = (api, thing) =>
  thing && thing.$ref ? resolve(api, thing.$ref.slice(2).split("/").reduce((at, part) => at[part], api)) : thing;

const example = (api, given, depth = 0) => {
  const schema = resolve(api, given) || {};
  if ("default" in schema && schema.default !== null) return schema.default;
  const options = schema.anyOf || schema.oneOf;
  if (options) return example(api, options.find((one) => one.type !== "null"), depth);
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") return depth > 3 ? [] : [example(api, schema.items, depth + 1)];
  if (schema.properties && depth < 4) {
    const shown = (schema.required || []).length ? schema.required : Object.keys(schema.properties);
    return Object.fromEntries(shown.map((name) => [name, example(api, schema.properties[name], depth + 1)]));
  }
  return { integer: schema.minimum ?? 1, number: 1, boolean: false, string: "" }[schema.type] ?? {};
};

const send = async (operation, fields, body, output) => {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = { Accept: "application/json, */*;q=0.1" };
  const key = document.getElementById("key").value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  for (const { parameter, input } of fields) {
    if (!input.value) continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query") input.value.split(",").forEach((one) => query.append(parameter.name, one.trim()));
    else headers[parameter.name] = input.value;
  }
  const options = { method: operation.method, headers, credentials: "omit" };
  if (body) {
    options.body = body.value;
    headers["Content-Type"] = body.dataset.media;
  }
  output.hidden = false;
  try {
    const answer = await fetch(path + (query.size ? `?${query}` : ""), options);
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not one JSON value */ }
    const told = ["etag", "location", "idempotent-replayed", "x-request-id"]
      .filter((name) => answer.headers.get(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
    output.textContent = [`${answer.status} ${answer.statusText}`, ...told, "", shown].join("\n");
  } catch (failure) {
    output.textContent = `Not sent: ${failure.message}`;
  }
};

const show = (api, operation) => {
  const inside = make("div", {}, make("p", {}, ...told(operation.description)));
  const fields = (operation.parameters || []).map((given) => {
    const parameter = resolve(api, given);
    const input = make("input", { placeholder: parameter.required ? "required" : "" });
    return { parameter, input, label: make("label", {}, `${parameter.name} (${parameter.in})`, input) };
  });
  inside.append(make("div", { className: "fields" }, ...fields.map((field) => field.label)));
  let body = null;
  const [media, content] = Object.entries(operation.requestBody?.content || {})[0] || [];
  if (media) {
    const value = content.example ?? example(api, content.schema);
    body = make("textarea", { value: JSON.stringify(value, null, media.includes("ndjson") ? 0 : 2), spellcheck: false });
    body.dataset.media = media;
    inside.append(make("label", {}, media, body));
  }
  const output = make("pre", { hidden: true });
  const button = make("button", { textContent: `Send ${operation.method}` });
  button.addEventListener("click", () => send(operation, fields, body, output));
  const answers = Object.entries(operation.responses).map(([status, answer]) =>
    make("tr", {}, make("td", { textContent: status }), make("td", {}, ...told(answer.description))));
  inside.append(button, output, make("table", {}, make("tbody", {}, ...answers)));
  return inside;
};

const start = async () => {
  const api = await (await fetch("/openapi.json")).json();
  document.getElementById("about").append(...told(api.info.description));
  const list = document.getElementById("operations");
  let subject = "";
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      Object.assign(operation, { path, method: method.toUpperCase() });
      if (operation.tags[0] !== subject) list.append(make("h2", { textContent: (subject = operation.tags[0]) }));
      const row = make("details", { id: operation.operationId }, make("summary", {},
        make("b", { textContent: operation.method }), make("code", { textContent: path }),
        make("span", { textContent: operation.summary })));
      row.dataset.words = `${method} ${path} ${operation.summary}`.toLowerCase();
      row.addEventListener("toggle", () => row.children.length < 2 && row.append(show(api, operation)));
      list.append(row);
    }
  }
  document.getElementById("codes").append(...api["x-problems"].map((one) =>
    make("tr", { id: one.code }, make("td", { textContent: one.status }),
      make("td", {}, make("code", { textContent: one.code })), make("td", { textContent: `${one.title} ${one.why}` }))));
  document.getElementById("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const row of list.querySelectorAll("details")) row.hidden = !row.dataset.words.includes(wanted);
  });
  const here = location.hash.slice(1) || (location.pathname.endsWith("problems") ? "problems" : "");
  if (here) document.getElementById(here)?.scrollIntoView();
};

start();
