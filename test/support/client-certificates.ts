import { readFileSync } from 'node:fs'

const read = (name: string): string => readFileSync(new URL(`certificates/${name}`, import.meta.url), 'utf8')

/** Self-signed certificates of clients and their keys, for tests of TLS; `c` and `d` have longer subjects. They are public: good for nothing else. */
export const CLIENTS = {
  a: { cert: read('client-a.crt'), key: read('client-a.key') },
  b: { cert: read('client-b.crt'), key: read('client-b.key') },
  c: { cert: read('client-c.crt'), key: read('client-c.key') },
  d: { cert: read('client-d.crt'), key: read('client-d.key') }
}
