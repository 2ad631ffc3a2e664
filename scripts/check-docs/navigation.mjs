// Checks that each page of docs/ is in a group of the site's sidebar, and that each page of the groups exists.
import { navigationProblems } from '../../docs/.vitepress/navigation.mjs'

export function checkNavigation (pages) {
  const names = pages.flatMap(({ file }) => /^docs\/([^/]+)\.md$/.exec(file)?.[1] ?? [])
  return navigationProblems(names).map(({ name, message }) => ({ file: `docs/${name}.md`, line: 1, message }))
}
