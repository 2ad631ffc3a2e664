/** The text of `--help`. */
export const HELP = `Usage: fastify-keycloak-bearer doctor [options] < token

Checks whether Keycloak fits this API, and explains each check of an access token.

Environment
  KEYCLOAK_ISSUER         URL of the realm, as tokens have it in iss; several with blanks between them
  KEYCLOAK_SERVER_URL     URL for the calls, if it differs; as many as issuers, in their order
  KEYCLOAK_CLIENT_ID      client of this API
  KEYCLOAK_CLIENT_SECRET  its secret, if the API introspects tokens; or, in its place, files:
  KEYCLOAK_CLIENT_ASSERTION_KEY_FILE  its private key (and KEYCLOAK_CLIENT_ASSERTION_KEY_ID)
  KEYCLOAK_CLIENT_ASSERTION_FILE      an assertion, such as a Kubernetes service account token
  KEYCLOAK_CLIENT_CERT_FILE and KEYCLOAK_CLIENT_KEY_FILE  its certificate
  KEYCLOAK_AUDIENCE       audience of this API; several with blanks between them
  KEYCLOAK_TOKEN          the token, if it is not in standard input

The token may be the token alone, an Authorization header, or an answer of Keycloak's token endpoint.

Options
  --option name=value     an option of the plugin, such as algorithms=ES256, leeway=5, dpop=true; again for each
  --route name=value      a rule of the route, such as permission=read-profile, scope=write, acr=gold, maxAge=300
  --logout-url url        the back-channel logout URL of the API: does its route answer there?
  --json                  the report as JSON
  -h, --help              this text
A value is JSON, or else a text: --route 'permission={"realmRole":"admin"}'

Exit code: 0 all is well, 1 there are findings, 2 wrong usage.
docs/doctor.md of the package explains each finding.
`
