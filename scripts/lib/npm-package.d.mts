export interface NpmPackage {
  spec: string;
  integrity: string;
}
export function tarballPath(pkg: NpmPackage): string;
export function fetchPackage(pkg: NpmPackage): string;
