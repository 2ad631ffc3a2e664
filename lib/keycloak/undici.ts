/// <reference path="./undici-files.d.ts" />
// The classes by their own files: with what they need they are a fifth of undici, whose other parts would delay the first request.
import Client from 'undici/lib/dispatcher/client.js'
import Pool from 'undici/lib/dispatcher/pool.js'

export { Client, Pool }
