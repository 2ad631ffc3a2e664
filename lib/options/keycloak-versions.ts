/**
 * Releases from which on introspection answers `{"active":false}` to a client that is not in the token's `aud`
 * (CVE-2026-37979). An administrator can switch that off for the whole server.
 */
export const AUD_DEMANDED_FROM = 'from 26.4.12, 26.6.2 and 26.7 on'
