/**
 * Dawn has no thread of its own in Node: while a promise of its is open, the one thread turns round and asks, and on a software
 * adapter takes a core from the very work it asks for. Here it naps between two turns.
 */

/** Turns in which nobody naps: what is done at once, such as a buffer that maps again, is not waited for any longer. */
const WAKEFUL = 4

/** Milliseconds of the first nap, and of the longest: each is twice the one before as long as nothing comes. */
const FIRST = 0.05
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
  /** Turns since the last wait began or ended. */
  let turns = 0
  const turn = (): void => {
    turning = open > 0
    if (!turning) return
    if (++turns > WAKEFUL) sleep(Math.min(LONGEST, FIRST * 2 ** (turns - WAKEFUL - 1)))
    setImmediate(turn)
  }
  const settled = (): void => {
    open--
    turns = 0
  }
  const napping = (wait: Waiting): Waiting =>
    function (this: unknown, ...args) {
      const promise = wait.apply(this, args)
      open++
      turns = 0
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
