// The page: who is logged in, what the token says, what each route answers, and the buttons.
import { createLogin, headerOf, payloadOf } from './login.js'

const settings = await (await fetch('/page.json')).json()
const login = createLogin(settings)
let tokens = null
let wasExpired = false

const byId = (id) => document.getElementById(id)
const name = () => payloadOf(tokens.access_token).preferred_username

showIssuer()
listen()
try {
  tokens = await login.finish()
  say(tokens === null ? '' : `Logged in as ${name()}.`)
} catch (error) {
  say(`The login failed. ${error.message}.`)
}
showUser()
await askAll()
setInterval(showExpiry, 250)

function showIssuer () {
  byId('issuer').textContent = settings.issuer
  for (const element of [byId('embedded'), byId('people'), ...document.querySelectorAll('.of-realm')]) element.hidden = !settings.embedded
  byId('no-realm').hidden = settings.embedded
}

function listen () {
  on('log-in', 'Leaving for the login page.', login.start)
  on('log-out', 'Leaving to log out.', () => login.leave(tokens))
  on('ask', '', askAll)
  on('refresh', 'Asking for another token.', async () => {
    tokens = { ...tokens, ...await login.refresh(tokens) }
    showUser()
    await askAll()
  }, 'Here is another token.')
  on('end', 'Ending the session.', async () => {
    await login.end(tokens)
    await askAll()
  }, 'The session is over; the token is still here.')
  const news = {
    rotate: 'The keys were rotated: refresh the token, and it names another kid.',
    down: 'The issuer is down. Nobody can log in, either.',
    hang: 'The issuer takes requests and never answers.',
    up: 'The issuer is back.'
  }
  for (const [action, said] of Object.entries(news)) {
    on(action, 'Telling the issuer.', async () => {
      const response = await fetch(`/controls/${action}`, { method: 'POST' })
      if (!response.ok) throw new Error((await response.json()).message)
      // The API asks an issuer that was away again within a second.
      if (action === 'up') await new Promise((resolve) => { setTimeout(resolve, 1200) })
      await askAll()
    }, said)
  }
}

/** A button: what is said while it works, what it does, what is said then, if not what the routes answer. */
function on (id, before, act, after) {
  const button = byId(id)
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-busy') === 'true') return
    button.setAttribute('aria-busy', 'true')
    if (before !== '') say(before)
    try {
      const summary = await act()
      if (after !== undefined) say(after)
      else if (summary !== undefined) say(summary)
    } catch (error) {
      say(`That did not work: ${error.message}.`)
    } finally {
      button.removeAttribute('aria-busy')
    }
  })
  // Not before: a click that nobody hears would be lost.
  button.disabled = false
}

function say (text) {
  byId('news').textContent = text
}

function showUser () {
  const known = tokens !== null
  byId('user').textContent = known ? name() : 'Nobody'
  byId('as').textContent = known ? `As ${name()}` : 'With the token'
  byId('log-in').hidden = known
  for (const element of [byId('log-out'), byId('token'), ...document.querySelectorAll('.of-user')]) element.hidden = !known
  byId('no-token').hidden = known
  if (!known) return
  wasExpired = false
  byId('header').textContent = written(headerOf(tokens.access_token))
  byId('claims').replaceChildren(...Object.entries(payloadOf(tokens.access_token)).map(([claim, value]) =>
    row(heading(claim), cell(code(typeof value === 'string' ? value : written(value))))))
  showExpiry()
}

function showExpiry () {
  if (tokens === null) return
  const left = payloadOf(tokens.access_token).exp - Date.now() / 1000
  const minutes = Math.floor(left / 60)
  byId('expiry').textContent = left > 0 ? `expires in ${minutes}:${String(Math.floor(left % 60)).padStart(2, '0')}` : 'has expired'
  if (left > 0 || wasExpired) return
  wasExpired = true
  say('The token has expired: refresh it.')
  askAll()
}

/** Asks every route, without and with the token; answers what a screen reader is told. */
async function askAll () {
  const table = byId('routes')
  table.setAttribute('aria-busy', 'true')
  const rows = await Promise.all(settings.questions.map(async ({ url, asks }) => {
    const [anonymous, known] = await Promise.all([askOne(url), tokens === null ? null : askOne(url, tokens.access_token)])
    return { url, asks, anonymous, known }
  }))
  table.replaceChildren(...rows.map(({ url, asks, anonymous, known }) =>
    row(heading(`GET ${url}`), cell(asks), answerCell(anonymous), known === null ? cell('There is no token.') : answerCell(known))))
  table.removeAttribute('aria-busy')
  return `The routes answered ${rows.map(({ url, anonymous, known }) => `${url} ${(known ?? anonymous).status}`).join(', ')}.`
}

async function askOne (url, token) {
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
  const body = await response.json()
  return { status: response.status, code: body.code ?? '', body: response.ok ? written(body) : body.message }
}

function answerCell ({ status, code: refusal, body }) {
  const badge = document.createElement('strong')
  badge.className = status < 400 ? 'good' : status < 500 ? 'refused' : 'away'
  badge.textContent = `${status} ${refusal}`.trim()
  return cell(badge, code(body))
}

/** JSON that can be broken into lines at its spaces. */
function written (value) {
  return JSON.stringify(value, null, 1).replace(/\n */g, ' ')
}

function row (...cells) {
  const element = document.createElement('tr')
  element.append(...cells)
  return element
}

function heading (text) {
  const element = document.createElement('th')
  element.scope = 'row'
  element.textContent = text
  return element
}

function cell (...content) {
  const element = document.createElement('td')
  element.append(...content)
  return element
}

function code (text) {
  const element = document.createElement('code')
  element.textContent = text
  return element
}
