/**
 * Dawn has no thread of its own in Node: while a promise of its is open, the one thread turns round and asks, and on a software
 * adapter takes a core from the very work it asks for. Here it naps between two turns.
 */

/** Milliseconds of the first nap, and of the longest: each is twice the one before as long as nothing comes. */
const FIRST = 0.02
const LONGEST = 0.2

type Waiting = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** Classes of Dawn whose promises the device settles. */
export interface Waited {
  readonly GPUBuffer: { readonly prototype: { mapAsync: Waiting } }
  readonly GPUQueue: { readonly prototype: { onSubmittedWorkDone: Waiting } }
}

/** Lets the thread nap, as `sleep` says for so many milliseconds, in every turn in which one of these promises is open. */
export const napWhileWaiting = ({ GPUBuffer, GPUQueue }: Waited, sleep = asleep): void => {
  let open = 0
  let turning = false
  let next = FIRST
  const turn = (): void => {
    turning = open > 0
    if (!turning) return
    sleep(next)
    next = Math.min(LONGEST, 2 * next)
    setImmediate(turn)
  }
  const settled = (): void => {
    open--
    next = FIRST
  }
  const napping = (wait: Waiting): Waiting =>
    function (this: unknown, ...args) {
      const promise = wait.apply(this, args)
      open++
      next = FIRST
      if (!turning) {
        turning = true
        setImmediate(turn)
      }
      promise.then(settled, settled)
      return promise
    }
  GPUBuffer.prototype.mapAsync = napping(GPUBuffer.prototype.mapAsync)
  GPUQueue.prototype.onSubmittedWorkDone = napping(GPUQueue.prototype.onSubmittedWorkDone)
}

const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Waits for nobody. */
const asleep = (milliseconds: number): void => {
  Atomics.wait(nobody, 0, 0, milliseconds)
}
