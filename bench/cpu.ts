/** CPU seconds of this process but for this thread, which waits: on a software adapter what its work costs. */
export const elsewhere = (): number => {
  const [all, own] = [process.cpuUsage(), process.threadCpuUsage()]
  return (all.user + all.system - own.user - own.system) / 1e6
}
