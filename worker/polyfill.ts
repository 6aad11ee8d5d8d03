// What libp2p 3 takes for granted and browsers have since 2024 only (Chromium 119, Firefox 121, Safari 17.4). Imported first.
if (!('withResolvers' in Promise))
  Object.defineProperty(Promise, 'withResolvers', {
    configurable: true,
    writable: true,
    value: function withResolvers<T>(this: PromiseConstructor) {
      let resolve: (value: T | PromiseLike<T>) => void = () => {}
      let reject: (reason?: unknown) => void = () => {}
      const promise = new this<T>((yes, no) => {
        resolve = yes
        reject = no
      })
      return { promise, resolve, reject }
    },
  })
