// The rows of the two tables. Where the page is narrow each row is a block, and a cell names its column itself.

/** @param {string} title what the row is about */
export function row (title, ...cells) {
  const heading = element('th', 'rowheader', ...words(title))
  heading.scope = 'row'
  return element('tr', 'row', heading, ...cells)
}

/** @param {string} column the heading above it */
export function cell (column, ...content) {
  const made = element('td', 'cell', ...content)
  made.dataset.column = column
  return made
}

/** What a route answers: status and code, and below the body or what there is to say of it. */
export function answerCell (column, { status, code: refusal, body }, below = code(body)) {
  const badge = document.createElement('strong')
  badge.className = status < 400 ? 'good' : status < 500 ? 'refused' : 'away'
  // A code may be broken after an underscore: the longest is wider than a column.
  badge.append(...`${status} ${refusal}`.trim().split(/(?<=_)/).flatMap((part) => [part, document.createElement('wbr')]))
  return cell(column, badge, below)
}

export function hint (text) {
  const made = document.createElement('span')
  made.className = 'hint'
  made.append(...words(text))
  return made
}

export function code (text) {
  const made = document.createElement('code')
  made.append(...words(text))
  return made
}

/** A text that breaks at its spaces alone: the name of a role is one word, whatever hyphens are in it. */
export function words (text) {
  return text.split(' ').flatMap((word, at) => {
    const made = document.createElement('span')
    made.className = 'whole'
    made.textContent = word
    return at === 0 ? [made] : [' ', made]
  })
}

/** JSON that can be broken into lines at its spaces. */
export function written (value) {
  return JSON.stringify(value, null, 1).replace(/\n */g, ' ')
}

/** The role is the element's own, said aloud since some browsers forget it where a table is laid out as blocks. */
function element (tag, role, ...content) {
  const made = document.createElement(tag)
  made.setAttribute('role', role)
  made.append(...content)
  return made
}
