// Browsers with Trusted Types make HTML of a text only by a policy that the page's headers name. htmx makes
// that of the pages it fetches from this site, by a policy that nobody else can reach, and makes no scripts.
const policy = globalThis.trustedTypes?.createPolicy("htmx", { createHTML: (text) => text });
const none = () => { throw new TypeError("Pages that are fetched bring no scripts"); };

if (policy) {
  htmx.registerExtension("trusted-types", {
    init: (api) => api.initSecurity({ createHTML: (text) => policy.createHTML(text), createScript: none }),
  });
}
