export function readTarball(path: string): Map<string, Buffer>;
