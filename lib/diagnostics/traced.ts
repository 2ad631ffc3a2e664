import type { TracingChannel } from 'node:diagnostics_channel'

/**
 * Makes a call, and publishes its events. The result is not in them, because it can hold a token.
 * @param context is what subscribers get
 * @param onResult adds to the context what they may know of the result
 */
export async function traced<Context extends object, Result> (channel: TracingChannel<unknown, Context>, context: Context, call: () => Promise<Result>, onResult: (context: Context, result: Result) => void): Promise<Result> {
  let result: Result
  await channel.tracePromise(async () => { onResult(context, result = await call()) }, context)
  return result!
}
