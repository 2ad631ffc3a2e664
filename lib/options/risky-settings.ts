import type { StartWarning } from '../../types/options.js'
import type { StartLog } from '../diagnostics/start-log.js'
import { testRealms } from '../util/test-realms.js'
import { AUD_DEMANDED_FROM } from './keycloak-versions.js'
import type { RealmSettings } from './options.js'
import { needsVerifiedEmail } from './verified-email.js'

/** A setting that is a risk, or has another effect than its user expects. */
interface Risk {
  code: StartWarning
  isTaken: (settings: RealmSettings) => boolean
  sentence: (settings: RealmSettings) => string
}

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
    isTaken: ({ readsAccountRoles }) => readsAccountRoles,
    sentence: () => 'clientId is left out (or an environment variable is unset), so roles are read from the client "account", where Keycloak gives every user "view-profile" and "manage-account". Set clientId to the id of this API\'s client, or permissionPath to where its roles are'
  },
  {
    code: 'email_as_id',
    isTaken: needsVerifiedEmail,
    sentence: () => 'userIdClaim is "email": an address can change hands, and an unverified one can be anybody\'s, so tokens whose email_verified is not true are refused. Prefer userIdClaim: "sub"; where nobody can give themselves an address in this realm, acceptUnverifiedEmail: true takes them as they are'
  },
  {
    code: 'client_secret_unused',
    isTaken: ({ clientSecret, verifyTokensWithKeycloak }) => clientSecret !== undefined && !verifyTokensWithKeycloak && !isOfTestRealm(clientSecret),
    sentence: () => 'clientSecret is given, but tokens are not introspected: logouts, disabled users and withdrawn roles count only when a token expires. Write verifyTokensWithKeycloak: true, or leave clientSecret out'
  },
  {
    code: 'logout_of_own_client',
    isTaken: ({ backchannelLogout, clientId }) => backchannelLogout?.clients.every((client) => client === clientId) === true,
    sentence: ({ clientId }) => `backchannelLogout.clients names ${JSON.stringify(clientId)} alone, this API's own client: Keycloak sends a logout for the client that the user logged in by, such as that of the frontend. Name that one, unless users log in by ${JSON.stringify(clientId)} itself`
  }
]

/** Warn of each risky setting, once, at start. */
export function warnOfRisks (settings: RealmSettings, log: StartLog): void {
  for (const { code, isTaken, sentence } of RISKS) {
    if (isTaken(settings)) log.warn({ code }, sentence(settings))
  }
}

/** Is this the secret of a test realm? Its `options` always have a secret, so that a test can switch introspection on. */
function isOfTestRealm (secret: RealmSettings['clientSecret']): boolean {
  return [...testRealms()].some(({ options }) => options.clientSecret === secret)
}
