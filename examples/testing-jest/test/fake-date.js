/** jest fakes all there is unless told not to; sockets and Fastify need the rest of it. */
function fakeDate (jest) {
  jest.useFakeTimers({
    doNotFake: [
      'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate', 'clearImmediate',
      'setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'
    ]
  })
}

module.exports = { fakeDate }
