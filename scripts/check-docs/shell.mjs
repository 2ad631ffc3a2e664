// Checks the commands in sh blocks and in the text: npm scripts, files that node or tsx run, commands of the package.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const LANGUAGES = ['sh', 'bash', 'shell', 'console']

export function checkCommands (root, pages) {
  return pages.flatMap(({ file, blocks, inlineCodes }) => [
    ...blocks.filter(({ language, directive }) => LANGUAGES.includes(language) && directive !== 'no-check')
      .flatMap(({ line, text }) => commands(root, file, line, text, readersFiles(inlineCodes))),
    ...inlineCodes.filter(({ text }) => /^(?:npm|npx|node) /.test(text)).flatMap(({ line, text }) => commands(root, file, line, text, readersFiles(inlineCodes)))
  ])
}

/** The files that the reader of a page writes: their names stand in the text as inline code, without a folder. */
function readersFiles (inlineCodes) {
  return new Set(inlineCodes.map(({ text }) => text).filter((text) => /^[\w.-]+\.[cm]?[jt]s$/.test(text)))
}

function commands (root, file, line, text, readers) {
  let folder = startOf(root, file)
  return text.split('\n').flatMap((each, index) => each.replace(/#.*/, '').split(/&&|;|\|/).map((command) => {
    const words = command.trim().replace(/^(?:\$ )?(?:[A-Z_]+=\S* )*/, '').split(/\s+/)
    if (words[0] === 'cd') folder = [folder, '.'].map((base) => join(base, words[1])).find((path) => existsSync(join(root, path))) ?? folder
    return { file, line: line + index, message: wrong(root, folder, words, readers) }
  })).filter(({ message }) => message !== undefined)
}

/** The folder in which a reader of the page runs commands: its project. */
function startOf (root, file) {
  const folder = dirname(file)
  return existsSync(join(root, folder, 'package.json')) ? folder : '.'
}

function wrong (root, folder, [command, ...args], readers) {
  const manifests = [...new Set([folder, '.'])].map((path) => JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')))
  if (command === 'npm') {
    const words = args.filter((word) => !word.startsWith('-'))
    const script = ['start', 'test'].includes(words[0]) ? words[0] : ['run', 'run-script'].includes(words[0]) ? words[1] : undefined
    if (script !== undefined && !manifests.some(({ scripts }) => scripts?.[script] !== undefined)) return `no package.json here has a script "${script}"`
  }
  if (command === 'npx' && args[0] === manifests.at(-1).name && manifests.at(-1).bin === undefined) return `the package has no command "${args[0]}"`
  if (command === 'node' || command === 'tsx') {
    // A file of the installed package is a file of this repository.
    const script = args.find((word) => /^[\w./-]+\.[cm]?[jt]s$/.test(word))?.replace(`node_modules/${manifests.at(-1).name}/`, '')
    if (script !== undefined && !readers.has(script) && ![folder, '.'].some((path) => existsSync(join(root, path, script)))) return `there is no ${script}`
  }
  return undefined
}
