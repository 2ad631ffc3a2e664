import type { KeycloakRisk } from '../../types/options.js'
import type { StartLog } from '../diagnostics/start-log.js'
import { isProduction } from '../util/environment.js'
import { isLoopbackHost } from '../util/loopback.js'
import { testRealms } from '../util/test-realms.js'
import { AUD_DEMANDED_FROM } from './keycloak-versions.js'
import type { RealmSettings } from './options.js'
import { createRiskReport, isOfProduction } from './risks.js'
import { needsVerifiedEmail } from './verified-email.js'

/** A setting that is a risk, or has another effect than its user expects. */
interface Risk {
  code: KeycloakRisk
  isTaken: (settings: RealmSettings) => boolean
  sentence: (settings: RealmSettings) => string
}

/** The claims of OpenID Connect that a user or an administrator can change. */
const MUTABLE: ReadonlySet<string> = new Set(['preferred_username', 'email', 'name', 'given_name', 'family_name', 'middle_name', 'nickname', 'phone_number'])

const RISKS: readonly Risk[] = [
  {
    code: 'signature_unchecked',
    isTaken: ({ verifySignature }) => !verifySignature,
    sentence: () => 'verifySignature is false: signatures are not checked, so ANYBODY can write a token and be whoever they like. For local debugging alone'
  },
  {
    code: 'certificate_unchecked',
    isTaken: ({ verifyCertificate }) => !verifyCertificate,
    sentence: () => 'verifyCertificate is false: whoever sits between this API and Keycloak can hand it keys of their own and forge every token. Give the certificate authority by the option ca instead'
  },
  {
    code: 'audience_unchecked',
    isTaken: ({ audience }) => audience === null,
    sentence: ({ verifyTokensWithKeycloak, clientId }) => {
      const withIntrospection = verifyTokensWithKeycloak
        ? `; Keycloak ${AUD_DEMANDED_FROM} calls tokens inactive whose aud lacks ${JSON.stringify(clientId)}, so introspection refuses those anyway`
        : ''
      return `audience is null: aud is not checked, so a token that any client of the realm was given for another API is accepted here too. Set audience to the id of this API's client${withIntrospection}`
    }
  },
  {
    code: 'account_roles',
    isTaken: ({ readsAccountRoles, namesAccountRoles }) => readsAccountRoles || namesAccountRoles,
    sentence: ({ readsAccountRoles }) => `${readsAccountRoles ? 'clientId is left out (or an environment variable is unset), so' : 'permissionPath is "resource_access.account.roles":'} roles are read from the client "account", where Keycloak gives every user "view-profile" and "manage-account". Set clientId to the id of this API's client, or permissionPath to where its roles are`
  },
  {
    code: 'email_as_id',
    isTaken: needsVerifiedEmail,
    sentence: () => 'userIdClaim is "email": an address can change hands, and an unverified one can be anybody\'s, so tokens whose email_verified is not true are refused. Prefer userIdClaim: "sub"; where nobody can give themselves an address in this realm, acceptUnverifiedEmail: true takes them as they are'
  },
  {
    code: 'client_secret_unused',
    isTaken: ({ clientSecret, verifyTokensWithKeycloak, uma }) => clientSecret !== undefined && !verifyTokensWithKeycloak && uma === undefined && !isOfTestRealm(clientSecret),
    sentence: () => 'clientSecret is given, but tokens are not introspected: logouts, disabled users and withdrawn roles count only when a token expires. If it serves serviceToken() and exchange() alone, accept this risk. Write verifyTokensWithKeycloak: true, or leave clientSecret out'
  },
  {
    code: 'logout_of_own_client',
    isTaken: ({ backchannelLogout, clientId }) => backchannelLogout?.clients.every((client) => client === clientId) === true,
    sentence: ({ clientId }) => `backchannelLogout.clients names ${JSON.stringify(clientId)} alone, this API's own client: Keycloak sends a logout for the client that the user logged in by, such as that of the frontend. Name that one, unless users log in by ${JSON.stringify(clientId)} itself`
  },
  {
    code: 'user_id_mutable',
    isTaken: (settings) => MUTABLE.has(claimOf(settings)) && !needsVerifiedEmail(settings),
    sentence: (settings) => `users are identified by ${claimOf(settings)} (userIdClaim): it can change in Keycloak, and somebody else can get the old value, and with it whatever the API keeps for that user. Set userIdClaim: 'sub', and userIdField to the key for it, such as 'id'`
  },
  {
    code: 'http_unencrypted',
    isTaken: ({ issuer, baseUrl }) => isUnencrypted(baseUrl) || isUnencrypted(issuer),
    sentence: ({ baseUrl, serverUrl }) => isUnencrypted(baseUrl)
      ? `${serverUrl === undefined ? 'issuer' : 'serverUrl'} is http:// to another machine: whoever sits between this API and Keycloak can hand it keys of their own and forge every token. Write https://, with the option ca for a private certificate authority`
      : 'issuer is http:// to another machine: users log in there without encryption, so that anybody on the way can read passwords and tokens. Let Keycloak be reached by https://'
  },
  {
    code: 'token_lifetime_unlimited',
    isTaken: ({ maxTokenAge, revocation, verifyTokensWithKeycloak }) => maxTokenAge === undefined && revocation === undefined && !verifyTokensWithKeycloak,
    sentence: () => 'a token is good for as long as Keycloak says, in spite of logouts: a client can have a lifespan of days (Access Token Lifespan). Set maxTokenAge to the longest lifespan that you allow, in seconds; or receive logouts, by revocation.maxTokenLifetime with backchannelLogout; or ask Keycloak, by verifyTokensWithKeycloak'
  }
]

/**
 * Warn of each risky setting that is not accepted, once: of some in production alone, where the environment names it.
 * @param told risks of production that were reported of other realms, and are not repeated
 */
export function warnOfRisks (settings: RealmSettings, log: StartLog, told = new Set<KeycloakRisk>()): void {
  const report = createRiskReport(settings.acceptRisks, log)
  for (const { code, isTaken, sentence } of RISKS) {
    if (isOfProduction(code) && (!isProduction() || told.has(code))) continue
    if (!isTaken(settings)) continue
    report(code, sentence(settings))
    if (isOfProduction(code)) told.add(code)
  }
}

function claimOf ({ userIdClaim }: RealmSettings): string {
  return [userIdClaim].flat().join('.')
}

/** Plain HTTP to this machine is seen by nobody. */
function isUnencrypted (url: string): boolean {
  return /^http:/i.test(url) && !isLoopbackHost(url)
}

/** Is this the secret of a test realm? Its `options` always have a secret, so that a test can switch introspection on. */
function isOfTestRealm (secret: RealmSettings['clientSecret']): boolean {
  return [...testRealms()].some(({ options }) => options.clientSecret === secret)
}
