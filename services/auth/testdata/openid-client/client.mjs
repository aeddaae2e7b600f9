// A client that is given the issuer's URL alone. It prints where a browser must
// go and reads where the browser was sent in the end.
import { createInterface } from "node:readline";
import * as oidc from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, KEYED_ID, KEY, REDIRECT, AFTER_LOGOUT } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browse = async (url) => {
  console.log(url.href);
  return new URL((await lines.next()).value);
};
const check = (what, ok) => {
  if (!ok) throw new Error(what);
};
const insecure = { execute: [oidc.allowInsecureRequests] }; // http, on this machine

const discover = (id, secret, how) => oidc.discovery(new URL(ISSUER), id, secret, how, insecure);

async function logIn(config, authorizationUrl) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const url = await authorizationUrl(config, {
    redirect_uri: REDIRECT, scope: "openid email tasks", state, nonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
  });
  const landed = await browse(url);
  return oidc.authorizationCodeGrant(config, landed, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
}

async function everything(config, authorizationUrl) {
  const first = await logIn(config, authorizationUrl);
  const info = await oidc.fetchUserInfo(config, first.access_token, first.claims().sub);
  check("userinfo", info.email);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  check("rotation", second.refresh_token && second.refresh_token !== first.refresh_token);
  check("introspection", (await oidc.tokenIntrospection(config, second.access_token)).active);
  await oidc.tokenRevocation(config, second.refresh_token);
  check("revocation", !(await oidc.tokenIntrospection(config, second.access_token)).active);
  check("client credentials", (await oidc.clientCredentialsGrant(config, { scope: "tasks" })).access_token);
  const end = await browse(oidc.buildEndSessionUrl(config, { id_token_hint: first.id_token, post_logout_redirect_uri: AFTER_LOGOUT, state: "bye" }));
  check("logout", end.href.startsWith(AFTER_LOGOUT) && end.searchParams.get("state") === "bye");
}

await everything(await discover(CLIENT_ID, CLIENT_SECRET), oidc.buildAuthorizationUrl);
await everything(await discover(CLIENT_ID, CLIENT_SECRET, oidc.ClientSecretBasic(CLIENT_SECRET)), oidc.buildAuthorizationUrlWithPAR);

const key = await crypto.subtle.importKey("jwk", JSON.parse(KEY), { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const keyed = await discover(KEYED_ID, undefined, oidc.PrivateKeyJwt({ key, kid: "ec" }));
check("private_key_jwt", (await oidc.clientCredentialsGrant(keyed)).access_token);
console.log("done");
process.exit(0);
