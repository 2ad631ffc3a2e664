// The home page is README: its list of features becomes the cards on top, so that each fact is written once.

const FEATURES = /^- \*\*[^]*?(?=\n\n)/m

/** @returns the frontmatter of the home page */
export function homeOf (readme, { name, description }) {
  const [list] = FEATURES.exec(readme) ?? []
  if (list === undefined) throw new Error('README.md has no list of features: lines that begin with "- **"')
  return {
    layout: 'home',
    title: name,
    titleTemplate: false,
    hero: {
      name,
      text: description.replace(/:.*/, ''),
      tagline: 'Who is the caller, is the token still valid, and may the caller do this? The plugin answers before your handler runs.',
      actions: [
        { theme: 'brand', text: 'Quick start', link: '#quick-start' },
        { theme: 'alt', text: 'Set up Keycloak', link: '/setup-keycloak' },
        { theme: 'alt', text: 'Options', link: '/options' }
      ]
    },
    features: list.split(/^- /m).slice(1).map(featureOf)
  }
}

/** The body below the cards. */
export function withoutFeatures (readme) {
  return readme.replace(/^# .*\n/, '').replace(FEATURES, '')
}

/** `**Fast**: a token …` → a card with the title "Fast". */
function featureOf (item) {
  const [, title, details] = /^\*\*(.+?)[.:]?\*\*[.:,]?\s*([^]*)$/.exec(item.replace(/\s+/g, ' ').trim())
  return { title, details: details[0].toUpperCase() + details.slice(1).replace(/`([^`]+)`/g, '<code>$1</code>') }
}
