/** What its users see of postgres.mjs. */
export function startPostgres (options?: { user?: string, database?: string, password?: string, port?: number }): Promise<{ url: string, stop: () => void }>
