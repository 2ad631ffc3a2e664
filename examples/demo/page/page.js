// The page: who is logged in, what the token says, what each route answers, and the buttons.
import { answerOf, call } from './api.js'
import { createLogin, headerOf, issuerUnderWay, payloadOf } from './login.js'
import { answerCell, cell, code, hint, row, words, written } from './table.js'
import { steal } from './thief.js'

const settings = await (await fetch('/page.json')).json()
const logins = settings.issuers.map(({ issuer }) => createLogin({ issuer, clientId: settings.clientId }))
// The realm that this visit comes back from, and later that of the tokens.
const login = logins.find(({ issuer }) => issuer === issuerUnderWay()) ?? logins[0]
let tokens = null
/** The key that the tokens are bound to, if they are. */
let key = null
/** The login that the vault demanded last. */
let demand = null
let wasExpired = false

/** The buttons that log in, by realm. */
const LOG_IN = ['log-in', 'partner']

const byId = (id) => document.getElementById(id)
const name = () => payloadOf(tokens.access_token).preferred_username

showIssuer()
listen()
const back = await finish()
showUser()
await askAll()
if (back !== null && Object.keys(back.demand).length > 0) say('vault', `Logged in again as ${name()}. ${await openVault()}`)
setInterval(showExpiry, 250)
// Back from the issuer by the browser's button: the page is as it was left.
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) say('log-in', '') })

/** Back from a login: what it brought, or null. */
async function finish () {
  try {
    const back = await login.finish()
    if (back !== null) ({ tokens, key } = back)
    say('log-in', back === null ? '' : `Logged in as ${name()}.${key === null ? '' : ' The token is bound to a key of this page.'}`)
    return back
  } catch (error) {
    say('log-in', `The login failed. ${error.message}.`)
    return null
  }
}

function showIssuer () {
  byId('issuer').textContent = settings.issuer
  byId('partners').textContent = settings.issuers[1]?.issuer ?? ''
  for (const element of document.querySelectorAll('.client')) element.textContent = settings.roleClient
  for (const element of [byId('embedded'), byId('people'), ...document.querySelectorAll('.of-realm')]) element.hidden = !settings.embedded
  byId('no-realm').hidden = settings.embedded
}

function listen () {
  on('log-out', 'Asking whether the issuer is there.', () => login.leave(tokens), '')
  const leaving = [['log-out', login], ...logins.map((each, at) => [LOG_IN[at], each])]
  for (const [id, { lookAhead }] of leaving) {
    for (const event of ['pointerenter', 'focus']) byId(id).addEventListener(event, lookAhead)
  }
  for (const [id, { start }] of leaving.slice(1)) on(id, 'Asking whether the issuer is there.', () => start(byId('bind').checked), '')
  on('vault', 'Asking for the vault.', openVault)
  on('step-up', 'Asking whether the issuer is there.', () => login.start(key !== null, { ...demand, login_hint: name() }), '')
  on('steal', 'The thief tries.', showThief)
  on('ask', 'Asking every route.', askAll)
  on('refresh', 'Asking for another token.', async () => {
    tokens = { ...tokens, ...await login.refresh(tokens, key) }
    showUser()
    return askAll()
  }, 'Here is another token.')
  on('end', 'Ending the session.', async () => {
    await login.end(tokens)
    return askAll()
  }, 'The session is over; the token is still here.')
  const news = {
    rotate: 'The keys were rotated: refresh the token, and it names another kid.',
    down: 'The issuer is down. Nobody can log in, either.',
    hang: 'The issuer takes requests and never answers.',
    fail: 'The issuer answers each request with an error.',
    up: 'The issuer is back.'
  }
  for (const [action, said] of Object.entries(news)) {
    on(action, 'Telling the issuer.', async () => {
      const response = await fetch(`/controls/${action}`, { method: 'POST' }).catch(() => { throw new Error('The API cannot be reached') })
      if (!response.ok) throw new Error((await response.json()).message)
      // The API asks an issuer that was away again within a second.
      if (action === 'up') await new Promise((resolve) => { setTimeout(resolve, 1200) })
      return askAll()
    }, said)
  }
}

/** A button: what is said beside it while it works, what it does, and what is said then, before what that tells. */
function on (id, before, act, after) {
  const button = byId(id)
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return
    button.setAttribute('aria-busy', 'true')
    say(id, before)
    try {
      const told = await act()
      say(id, [after, told].filter(Boolean).join(' '))
    } catch (error) {
      say(id, `That did not work: ${error.message}.`)
    } finally {
      button.removeAttribute('aria-busy')
    }
  })
  // Not before: a click that nobody hears would be lost.
  button.disabled = false
}

/** Says something beside a button, where whoever pressed it looks, and nothing anywhere else. */
function say (id, text) {
  const place = byId(id).closest('.action').querySelector('.said')
  for (const other of document.querySelectorAll('.said')) if (other !== place) other.textContent = ''
  place.textContent = text
  if (text !== '') place.closest('.action').scrollIntoView({ block: 'nearest' })
}

function showUser () {
  const known = tokens !== null
  byId('user').textContent = known ? name() : 'Nobody'
  byId('as').textContent = known ? `As ${name()}` : 'With the token'
  for (const [at, id] of LOG_IN.entries()) byId(id).hidden = known || at >= logins.length
  byId('binding').hidden = known
  for (const element of [byId('log-out'), byId('token'), ...document.querySelectorAll('.of-user')]) element.hidden = !known
  byId('no-token').hidden = known
  if (!known) return
  wasExpired = false
  byId('header').replaceChildren(...words(written(headerOf(tokens.access_token))))
  byId('claims').replaceChildren(...Object.entries(payloadOf(tokens.access_token)).map(claimRow))
  showExpiry()
}

function claimRow ([claim, value]) {
  const shown = [code(typeof value === 'string' ? value : written(value))]
  if (claim === 'resource_access') {
    const roles = value[settings.roleClient]?.roles ?? []
    shown.push(hint(`This API looks at the roles of the client ${settings.roleClient}: ${roles.join(', ') || 'there are none'}. Those of account are Keycloak’s own, and everybody has them.`))
  }
  if (claim === 'cnf') shown.push(hint('The key of this page: the API takes the token with a proof by it alone.'))
  return row(claim, cell('Value', ...shown))
}

function showExpiry () {
  if (tokens === null) return
  const left = payloadOf(tokens.access_token).exp - Date.now() / 1000
  const minutes = Math.floor(left / 60)
  byId('expiry').textContent = left > 0 ? `expires in ${minutes}:${String(Math.floor(left % 60)).padStart(2, '0')}` : 'has expired'
  if (left > 0 || wasExpired) return
  wasExpired = true
  say('refresh', 'The token has expired: refresh it.')
  askAll()
}

/** Asks every route, without and with the token; answers what a screen reader is told. */
async function askAll () {
  const table = byId('routes')
  table.setAttribute('aria-busy', 'true')
  const rows = await Promise.all(settings.questions.map(async ({ url, asks, of }) => {
    const [anonymous, known] = await Promise.all([answerOf(call(url)), tokens === null ? null : answerOf(call(url, tokens.access_token, key))])
    return { url, asks, of, anonymous, known }
  }))
  const as = byId('as').textContent
  table.replaceChildren(...rows.map(({ url, asks, of, anonymous, known }) => row(
    `GET ${url}`,
    cell('Asks for', ...words(asks), of === undefined ? '' : hint(of)),
    answerCell('Anonymous', anonymous),
    known === null ? cell(as, 'There is no token.') : answerCell(as, known)
  )))
  table.removeAttribute('aria-busy')
  const statuses = rows.map(({ anonymous, known }) => (known ?? anonymous).status)
  if (new Set(statuses).size === 1) return `Every route answered ${statuses[0]}.`
  return `The routes answered ${rows.map(({ url }, at) => `${url} ${statuses[at]}`).join(', ')}.`
}

/** Opens the vault, or shows the login that it demands; answers what is said of it. */
async function openVault () {
  const answer = await answerOf(call('/vault', tokens.access_token, key))
  demand = answer.demand
  byId('step-up').hidden = demand === null
  if (answer.status === 200) return 'The vault is open.'
  const asked = demand === null ? '' : `: the challenge asks for a login with ${Object.entries(demand).map(([name, value]) => `${name}="${value}"`).join(', ')}`
  return `The vault answered ${answer.status} ${answer.code}${asked}.`
}

/** Lets the thief try, and shows the answers; answers what a screen reader is told. */
async function showThief () {
  const tried = await steal(tokens.access_token, key)
  byId('attempts').replaceChildren(...tried.map(({ sends, isBound, answer, reason }) => row(sends, answer === null
    ? cell('Answer', `To see this, log in ${isBound ? 'with' : 'without'} “Bind to a key”.`)
    : answerCell('Answer', answer, hint(reason)))))
  byId('thefts').hidden = false
  return `The thief got ${tried.filter(({ answer }) => answer !== null).map(({ answer }) => answer.status).join(', ')}.`
}
