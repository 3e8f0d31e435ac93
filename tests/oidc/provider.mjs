// A real OpenID Connect provider: node provider.mjs PORT PEOPLE REDIRECT. PEOPLE is a JSON file, read at each
// sign-in: claims by the name that one signs in with.
import { readFileSync } from "node:fs";
import { Provider } from "oidc-provider";

const [port, people, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "storm", client_secret: "a secret of the client", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
  // What the scopes ask for is in the ID token too.
  conformIdTokenClaims: false,
  findAccount: (_, id) => {
    const claims = JSON.parse(readFileSync(people, "utf8"))[id];
    return claims && { accountId: id, claims: () => ({ sub: id, ...claims }) };
  },
});
provider.listen(Number(port), "127.0.0.1");
