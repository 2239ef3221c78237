/** Buffer usages and map modes of the WebGPU specification; the globals of that name do not exist everywhere. */
export const USAGE = {
  mapRead: 0x0001,
  mapWrite: 0x0002,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200
} as const

/** Whatever kernels read or write and the host fills or fetches. */
export const STORAGE = USAGE.storage | USAGE.copySource | USAGE.copyTarget

export const MAP_READ = 1
export const MAP_WRITE = 2
