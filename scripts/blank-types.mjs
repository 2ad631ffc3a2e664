// node --import ./scripts/blank-types.mjs: runs TypeScript as the build publishes it, with types blanked out (blank-types/hooks.mjs).
// tap starts each test file so: `node-arg` in package.json. Its own compiler, which takes longer than most tests, stays out of their
// processes by TAP_TYPE_STRIP_ONLY in `test-env`; the option of tap that does the same has no effect on Node 20.
import { register } from 'node:module'

register('./blank-types/hooks.mjs', import.meta.url)
