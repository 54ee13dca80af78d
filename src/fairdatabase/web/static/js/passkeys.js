// Passkeys: forms with data-passkey ask the browser for one, fill it in and are sent.
const supported = () => "PublicKeyCredential" in window && isSecureContext
  && "parseRequestOptionsFromJSON" in PublicKeyCredential;

const WORDS = {
  NotAllowedError: "That was cancelled, or took too long. Please try again.",
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "The browser does not allow passkeys at this address.",
};

async function question(form) {
  const answer = await fetch(form.dataset.options, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-TOKEN": form.elements.csrf_token.value },
    body: form.dataset.body || "{}",
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body.data;
}

async function credential(mode, options) {
  if (mode === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

async function ask(event) {
  const form = event.target;
  if (!form.dataset.passkey || form.dataset.answered) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const message = form.querySelector("[data-passkey-message]");
  message.textContent = "";
  try {
    const { challenge, options } = await question(form);
    const made = await credential(form.dataset.passkey, options);
    form.elements.challenge.value = challenge;
    form.elements.credential.value = JSON.stringify(made.toJSON());
    form.dataset.answered = "yes";
    form.requestSubmit();
  } catch (error) {
    message.textContent = WORDS[error.name] || error.message;
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (supported()) {
    form.addEventListener("submit", ask);
    form.querySelector("button").disabled = false;
  } else {
    for (const element of form.elements) element.disabled = true;
    form.querySelector("[data-passkey-message]").textContent = "This browser cannot use passkeys here. Update it, or use another way.";
  }
}
// The back button brings back a form that was sent, with a question that is used up.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) delete form.dataset.answered;
});
