// The groups of the pages, as the sidebar of the site shows them. `npm run check:docs` fails if a page of docs/ is in no group.

/** Title of a group → its pages, by the names of their files in docs/. */
export const GROUPS = {
  Start: ['setup-keycloak', 'demo', 'testing', 'typescript'],
  'Who may': ['routes', 'who-may', 'authorization-services', 'step-up', 'users', 'openapi'],
  'Stolen and ended tokens': ['dpop', 'mtls', 'introspection', 'client-authentication', 'logout'],
  'Several realms': ['several-realms'],
  'Other services': ['services'],
  'Clients that discover': ['mcp', 'resource-metadata'],
  'Beside other software': ['plugins', 'frameworks', 'recipes'],
  Operating: ['production', 'containers', 'several-instances', 'keycloak-versions', 'operating', 'events', 'security-headers', 'performance'],
  'When something fails': ['troubleshooting', 'doctor'],
  Migrating: [
    'comparison', 'migrating-from-drf-keycloak', 'migrating-from-express-oauth2-jwt-bearer', 'migrating-from-fastify-jwt',
    'migrating-from-fastify-keycloak-adapter', 'migrating-from-keycloak-connect', 'migrating-from-nest-keycloak-connect'
  ],
  Reference: ['options', 'security']
}

/**
 * Compares the groups with the pages that exist.
 * @param names of the pages, without folder and `.md`
 * @returns a sentence for each page without a group, in several groups, or without a file
 */
export function navigationProblems (names) {
  const listed = Object.values(GROUPS).flat()
  return [
    ...names.filter((name) => !listed.includes(name))
      .map((name) => ({ name, message: `the page is in no group of the site: add '${name}' to GROUPS in docs/.vitepress/navigation.mjs` })),
    ...listed.filter((name, at) => listed.indexOf(name) !== at)
      .map((name) => ({ name, message: 'the page is in several groups of docs/.vitepress/navigation.mjs: leave one' })),
    ...listed.filter((name) => !names.includes(name))
      .map((name) => ({ name, message: 'the page does not exist: delete its name from GROUPS in docs/.vitepress/navigation.mjs' }))
  ]
}

/** @param titleOf gives the title of a page by its file, such as `docs/options.md` */
export function createSidebar (titleOf) {
  const groups = Object.entries(GROUPS).map(([text, names]) => ({ text, items: names.map((name) => ({ text: titleOf(`docs/${name}.md`), link: `/${name}` })) }))
  const group = (text) => groups.find((each) => each.text === text).items
  group('Start').unshift({ text: 'Overview', link: '/' }, { text: 'Examples', link: '/examples/' })
  group('Reference').push(
    { text: 'Types and functions', link: '/api/index.html', target: '_self' },
    { text: 'Changelog', link: '/changelog' },
    { text: 'Contributing', link: '/contributing' }
  )
  return groups
}
