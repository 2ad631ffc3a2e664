import type { Entries } from './entry.js'

const FOREIGN = 'find out who calls this route: Keycloak does not send such a call'
const CLOCKS = 'the clocks of Keycloak and this API differ by more than {leeway} s (revocation.leeway); NTP keeps both right'
const FULL = 'find out who calls this route, and why the keys of the realm cannot be fetched'

/** The reasons why a logout or a push of Keycloak is not carried out, in addition to the reasons of tokens. */
export const PUSHES = {
  push_body_missing: { sentence: 'there is no body', advice: FOREIGN },
  push_body_other: { sentence: 'the body must be {type}', advice: FOREIGN },
  push_body_slow: { sentence: 'the body took more than {milliseconds} ms', advice: 'look at the network between Keycloak and this API' },
  push_body_too_long: { sentence: 'the body has more than {bytes} bytes', advice: FOREIGN },
  push_body_cut: { sentence: 'the body was cut off', advice: 'look at the network between Keycloak and this API' },
  push_form_too_long: { sentence: 'the form has more than {count} fields', advice: FOREIGN },
  push_form_malformed: { sentence: 'the form does not have exactly one logout_token', advice: FOREIGN },
  push_header_too_long: { sentence: 'the header is too long', advice: FOREIGN },
  push_payload_too_long: { sentence: 'the payload is too long', advice: FOREIGN },
  push_name_unknown: { sentence: 'the path has no name of an issuer that is known', advice: 'write the path of adminUrl, a slash and the name of the issuer into Admin URL of the client; with a function `issuers`, a name is known once a token of the issuer was here' },
  push_repeated: { sentence: 'the call was made before', advice: 'find out who repeats the calls of Keycloak' },
  push_future: { sentence: 'the call is dated {seconds} s in the future: {advice}', advice: CLOCKS },
  push_ended: { sentence: 'the call ended {seconds} s ago: it comes late, or {advice}', advice: CLOCKS },
  push_claim_missing: { sentence: '{claim} is missing', advice: FOREIGN },
  push_claim_not_string: { sentence: '{claim} is not a string', advice: FOREIGN },
  logout_typ: { sentence: 'typ is not Logout', advice: FOREIGN },
  logout_event_missing: { sentence: 'events has no back-channel logout', advice: FOREIGN },
  logout_nonce: { sentence: 'nonce is not allowed', advice: FOREIGN },
  push_typ: { sentence: 'typ is not allowed', advice: FOREIGN },
  push_action_other: { sentence: 'the action is not that of the route', advice: 'write the path of adminUrl alone into Admin URL of the client' },
  push_resource_other: { sentence: 'the resource is not this client', advice: 'set Admin URL at the client that clientId names' },
  push_not_before_missing: { sentence: 'notBefore is missing or negative', advice: FOREIGN },
  push_sessions_malformed: { sentence: 'keycloakSessionIds is not a list of sessions', advice: FOREIGN },
  push_room_full: { sentence: 'more calls wait than there is room for', advice: FULL },
  push_keys_late: { sentence: 'the keys could not be fetched in time', advice: FULL },
  push_issuer_late: { sentence: 'the realm of the issuer could not be found in time', advice: 'look at the function issuers' },
  push_waiting: { sentence: 'the call is kept until its signature can be checked', advice: 'none: a line in the log says what became of it' },
  push_not_spread: { sentence: 'the call counts on this instance, and on the others as soon as the store of revocations takes it', advice: 'look at the store of revocations' }
} as const satisfies Entries
