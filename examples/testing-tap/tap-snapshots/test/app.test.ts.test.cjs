/* IMPORTANT
 * This snapshot file is auto-generated, but designed for humans.
 * It should be checked into source control and tracked carefully.
 * Re-generate by setting TAP_SNAPSHOT=1 and running tests.
 * Make sure to inspect the output below.  Do not ignore changes!
 */
'use strict'
exports[`test/app.test.ts > TAP > who may call what is as it was reviewed > must match snapshot 1`] = `
Array [
  Object {
    "access": "optional",
    "method": "GET",
    "url": "/health",
  },
  Object {
    "access": "optional",
    "method": "HEAD",
    "url": "/health",
  },
  Object {
    "access": "authenticated",
    "method": "GET",
    "url": "/notes",
  },
  Object {
    "access": "authenticated",
    "method": "HEAD",
    "url": "/notes",
  },
  Object {
    "access": "restricted",
    "method": "POST",
    "rule": "permission note:write and scope notes",
    "url": "/notes",
  },
]
`
