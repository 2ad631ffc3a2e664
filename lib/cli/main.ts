#!/usr/bin/env node
import { run } from './run.js'

const { argv, env, stdin, stdout, stderr } = process
process.exitCode = await run({ args: argv.slice(2), env, stdin, stdout, stderr })
