// npm run bench: every contender against every other. See docs/performance.md.
import { parseArgs } from 'node:util'
import { chosen } from './contenders.js'
import { generator } from './load.js'
import { prepare } from './prepare.js'
import { pinned } from './processes.js'
import { openRealm } from './realm.js'
import { throughputTable } from './tables.js'
import { lineOf, runRounds } from './throughput.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '1' },
    only: { type: 'string' }
  }
})
const plan = { rounds: Number(values.rounds), seconds: Number(values.seconds), warmUp: Number(values['warm-up']), minutes: 10 }

prepare()
const contenders = chosen(values.only?.split(','))
console.log(`Load by ${generator}, processes ${pinned ? 'pinned to cores' : 'not pinned (taskset or a second core is missing)'}.`)
const results = await runRounds(contenders, await openRealm(), plan)
console.log(`\n${throughputTable(contenders.map((each) => lineOf(each, results)))}`)
process.exit()
