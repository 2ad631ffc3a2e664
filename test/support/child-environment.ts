/**
 * The environment of a child process that runs sources of lib/ by tsx. Its coverage does not count, because the same files have other
 * offsets there than in this process, and both together would be neither. tap measures each child unless this variable says no.
 */
export const CHILD_ENV: NodeJS.ProcessEnv = { ...process.env, NODE_V8_COVERAGE: '', _TAPJS_PROCESSINFO_COVERAGE_: '0' }
