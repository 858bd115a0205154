// The Database and KeyFiles ports: durable records and data-key files. Implementations: LevelDB and files; memory (test/support).

/** One change of a batch. */
export type Op =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string }

/** An ordered key-value store with atomic, durable batches. */
export interface Database {
  /** The value, or undefined if there is none. @throws StoreError if it cannot be read */
  get(key: string): Promise<Uint8Array | undefined>
  /** The entries whose key starts with `prefix`, in ascending order of key. */
  entries(prefix: string): Promise<readonly (readonly [string, Uint8Array])[]>
  /** Their keys alone, in the same order. */
  keys(prefix: string): Promise<readonly string[]>
  /** Applies all or nothing; when it resolves, the change survives a crash. */
  batch(ops: readonly Op[]): Promise<void>
  /** Rewrites the files that hold keys starting with `prefix`, so that deleted values leave the disk. */
  compact(prefix: string): Promise<void>
  close(): Promise<void>
}

/** Small secret files beside the database, each written once and destroyed once. */
export interface KeyFiles {
  /** Creates a file; durable (file and folder) when it resolves. @throws StoreError if the name exists */
  write(name: string, bytes: Uint8Array): Promise<void>
  /** The bytes, or undefined if there is no such file. @throws StoreError if it cannot be read */
  read(name: string): Promise<Uint8Array | undefined>
  /** Overwrites, syncs, unlinks, syncs the folder. Succeeds if the file is already gone. */
  destroy(name: string): Promise<void>
  /** The names of the files that are there, ascending. */
  list(): Promise<string[]>
}
