import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';

/** What a machine has and is. */
export interface Machine {
  readonly milliCpu: number;
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly systemUuid: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** As Go names it: amd64, arm64. */
  readonly architecture: string;
}

const textOf = (path: string) =>
  readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' };

/** PRETTY_NAME of os-release(5). */
export function parseOsRelease(text: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1] ?? '';
  return value.replace(/^(["'])(.*)\1$/, '$2') || 'Linux';
}

export async function readMachine(stateDir: string): Promise<Machine> {
  const disk = await statfs(stateDir);
  const [machineId, bootId, systemUuid, osRelease] = await Promise.all([
    textOf('/etc/machine-id'),
    textOf('/proc/sys/kernel/random/boot_id'),
    textOf('/sys/class/dmi/id/product_uuid'),
    textOf('/etc/os-release'),
  ]);
  return {
    milliCpu: cpus().length * 1000,
    memoryBytes: totalmem(),
    ephemeralBytes: disk.blocks * disk.bsize,
    machineId,
    bootId,
    systemUuid: systemUuid || machineId,
    kernelVersion: release(),
    osImage: parseOsRelease(osRelease),
    architecture: GO_ARCHITECTURES[arch()] ?? arch(),
  };
}

/** Free shares below which a node says that it is under pressure; upstream's hard eviction thresholds. */
const MIN_MEMORY_BYTES = 100 * 1024 * 1024;
const MIN_DISK_SHARE = 0.1;
const MIN_INODE_SHARE = 0.05;

export interface Pressure {
  readonly memory: boolean;
  readonly disk: boolean;
}

/** Memory that can be had without swapping, from /proc/meminfo, in bytes. */
export function parseAvailableMemory(meminfo: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? Number.MAX_SAFE_INTEGER) * 1024;
}

export async function readPressure(stateDir: string): Promise<Pressure> {
  const [meminfo, disk] = await Promise.all([textOf('/proc/meminfo'), statfs(stateDir)]);
  const inodesLow = disk.files > 0 && disk.ffree / disk.files < MIN_INODE_SHARE;
  return {
    memory: parseAvailableMemory(meminfo) < MIN_MEMORY_BYTES,
    disk: disk.bavail / disk.blocks < MIN_DISK_SHARE || inodesLow,
  };
}
