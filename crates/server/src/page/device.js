// Signs in if need be, looks a code up and answers it. All that comes from a program is shown as text.
const forms = ["sign-in", "prove", "look-up", "answer"].map((id) => document.getElementById(id));
const [signIn, prove, lookUp, answer] = forms;
const said = document.getElementById("said");
const field = (id) => document.getElementById(id);
let code = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);

// Shows one form, or none, and says something.
function show(form, words = "") {
  for (const each of forms) each.hidden = each !== form;
  said.textContent = words;
  // No button: nobody approves anything by pressing a key too often.
  form?.querySelector("input")?.focus();
}

// Asks the API; an answer that is no success is thrown with its code.
async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    throw Object.assign(new Error("The server cannot be reached. Nothing was changed. Try again."), { code: "" });
  }
  const text = await response.text();
  const value = text ? JSON.parse(text) : null;
  if (!response.ok) throw Object.assign(new Error(value.error.message), { code: value.error.code });
  return value;
}

// Does something once; what goes wrong leads to the form that mends it.
async function attempt(form, work) {
  const buttons = form ? [...form.querySelectorAll("button")] : [];
  for (const button of buttons) button.disabled = true;
  said.textContent = "";
  try {
    await work();
  } catch (error) {
    if (error.code === "not_signed_in") show(signIn, form === signIn || !form ? "" : error.message);
    else if (error.code === "reauthenticate") show(prove);
    else if (error.code === "no_such_code") show(lookUp, error.message);
    else said.textContent = error.message;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

async function find() {
  const me = await ask("GET", "/whoami");
  if (!code) return show(lookUp);
  const found = await ask("POST", "/device-authorizations/look-up", { user_code: code });
  code = found.user_code;
  const words = {
    shown: found.user_code,
    client: found.client,
    host: found.host,
    origin: found.origin ?? "an unknown address",
    asked: new Date(found.created_at / 1000).toLocaleTimeString(),
    days: String(found.token_days),
    me: me.email,
  };
  for (const [id, text] of Object.entries(words)) field(id).textContent = text;
  field("may").replaceChildren(...found.may.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  field("elsewhere").hidden = found.same_network;
  const own = await ask("GET", "/accounts/own");
  field("account").replaceChildren(...own.items.map((each) => new Option(each.name, each.id, false, each.id === me.account)));
  show(answer);
}

async function approve() {
  const chosen = field("account").value;
  const me = await ask("GET", "/whoami");
  if (chosen !== me.account) await ask("POST", "/session/account", { account: chosen });
  await ask("POST", "/device-authorizations/approve", { user_code: code });
  show(null, "Approved. Go back to the program; you may close this page.");
}

function on(form, work) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(form, work);
  });
}

on(signIn, async () => {
  await ask("POST", "/session", { email: field("email").value, password: field("password").value });
  field("password").value = "";
  await find();
});
on(prove, async () => {
  await ask("POST", "/session/reauthenticate", { password: field("proof").value });
  field("proof").value = "";
  show(answer, "Now approve it.");
});
on(lookUp, async () => {
  code = field("code").value;
  await find();
});
on(answer, approve);
field("deny").addEventListener("click", () =>
  attempt(answer, async () => {
    await ask("POST", "/device-authorizations/deny", { user_code: code });
    show(null, "Denied. The program gets nothing.");
  }),
);
attempt(null, find);
