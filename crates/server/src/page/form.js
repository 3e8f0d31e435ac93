// Sends the secret of a link and a password where the form says; the address keeps neither.
const form = document.querySelector("form");
const said = document.getElementById("said");
const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
if (!token) {
  form.hidden = true;
  said.textContent = "This link is not whole. Copy it from the e-mail once more.";
}
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  said.textContent = "";
  try {
    const answer = await fetch(form.dataset.to, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token, password: form.elements.password.value }),
    });
    if (answer.ok) {
      form.hidden = true;
      said.textContent = `${form.dataset.done} Sign in with: storm login --url ${location.origin}`;
      return;
    }
    const problem = await answer.json();
    said.textContent = problem.error.message;
  } catch {
    said.textContent = "The server cannot be reached. Nothing was changed. Try again.";
  }
  button.disabled = false;
});
