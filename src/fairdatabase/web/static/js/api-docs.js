// Shows the OpenAPI document that data-url names. The reader makes HTML of texts and knows no policy of Trusted
// Types; this one lets it, on its page alone, and still makes no scripts.
globalThis.trustedTypes?.createPolicy("default", { createHTML: (text) => text });
const node = document.getElementById("swagger-ui");
SwaggerUIBundle({
  url: node.dataset.url,
  domNode: node,
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
