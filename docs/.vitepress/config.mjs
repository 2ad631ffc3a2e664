// The documentation site, by VitePress: `npm run docs` builds it into site/, `npm run docs:serve` shows it while you write.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { homeOf, withoutFeatures } from './home.mjs'
import { markdown } from './markdown.mjs'
import { createSidebar } from './navigation.mjs'
import { EXCLUDED, pageOf, ROOT } from './pages.mjs'
import { render, sectionsOf } from './search.mjs'

const read = (file) => readFileSync(ROOT + file, 'utf8')
const manifest = JSON.parse(read('package.json'))
const titleOf = (file) => /^# (.+)$/m.exec(read(file))[1]
const ICON = 'data:image/svg+xml,' + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#1f5fa8" d="M8 1 2 3v5c0 4 3 6 6 7 3-1 6-3 6-7V3z"/></svg>')

export default defineConfig({
  title: manifest.name,
  description: manifest.description,
  lang: 'en',
  srcDir: '..',
  srcExclude: EXCLUDED,
  rewrites: pageOf,
  outDir: '../site',
  cacheDir: '../node_modules/.cache/vitepress',
  // docs/setup-keycloak.md leads to the Keycloak that it starts.
  ignoreDeadLinks: 'localhostLinks',
  head: [['link', { rel: 'icon', href: ICON }]],
  markdown: { ...markdown, theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' } },
  transformPageData (page) {
    if (page.filePath === 'README.md') page.frontmatter = { ...page.frontmatter, ...homeOf(read('README.md'), manifest) }
  },
  themeConfig: {
    nav: [
      { text: 'Set up Keycloak', link: '/setup-keycloak' },
      { text: 'Options', link: '/options' },
      { text: 'Troubleshooting', link: '/troubleshooting' },
      { text: 'Types', link: '/api/index.html', target: '_self' }
    ],
    sidebar: createSidebar(titleOf),
    outline: [2, 3],
    search: { provider: 'local', options: { _render: render, miniSearch: { _splitIntoSections: sectionsOf } } }
  },
  vite: {
    plugins: [{
      name: 'home',
      enforce: 'pre',
      transform: (source, id) => id === `${ROOT}README.md` ? withoutFeatures(source) : undefined
    }]
  }
})
