const ui = SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
  oauth2RedirectUrl: new URL("oauth2-redirect.html", window.location.href).href,
});
ui.initOAuth({ usePkceWithAuthorizationCodeGrant: true, scopes: "tasks reports users authz auth" });
