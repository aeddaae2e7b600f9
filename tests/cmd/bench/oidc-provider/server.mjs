// npm's oidc-provider, keeping everything in memory: the peer of the bench.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const port = Number(process.env.PORT);
const resource = "https://api.example";
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "ES256", kid: "bench" }] },
  clients: [{ client_id: "bench", client_secret: "secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [], id_token_signed_response_alg: "ES256" }],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({ scope: "tasks", audience: resource, accessTokenFormat: process.env.FORMAT, jwt: { sign: { alg: "ES256" } } }),
    },
  },
});
provider.listen(port, "127.0.0.1", () => console.log("ready"));
