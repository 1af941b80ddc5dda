import { isIPv6 } from 'node:net';
import { isJsonObject, type JsonObject, listAt, objectAt, textAt } from '../object/api-object.ts';
import { labelsText, selectorText, specOf, statusOf, textOr } from './cell-text.ts';
import { columns, NONE, type Printer, UNSET } from './column.ts';
import { age } from './human-duration.ts';

export const servicePrinter: Printer = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector+'),
  cells(object, nowMs) {
    const spec = specOf(object);
    const clusterIP = textOr(listAt(spec, 'clusterIPs')[0], textOr(spec.clusterIP, NONE));
    return [
      object.metadata.name,
      textOr(spec.type, ''),
      clusterIP,
      externalAddress(object),
      portsText(listAt(spec, 'ports')),
      age(object.metadata.creationTimestamp, nowMs),
      labelsText(spec.selector),
    ];
  },
};

function externalAddress(service: JsonObject): string {
  const spec = specOf(service);
  const external = listAt(spec, 'externalIPs').map(String);
  if (spec.type === 'LoadBalancer') {
    const all = [...ingressOf(service), ...external];
    return all.length > 0 ? all.join(',') : '<pending>';
  }
  if (spec.type === 'ExternalName') return textOr(spec.externalName, NONE);
  return external.length > 0 ? external.join(',') : NONE;
}

function ingressOf(object: JsonObject): string[] {
  return listAt(objectAt(statusOf(object), 'loadBalancer') ?? {}, 'ingress')
    .map((ingress) => textAt(ingress, 'ip') || textAt(ingress, 'hostname') || '')
    .filter((text) => text !== '');
}

function portsText(ports: readonly unknown[]): string {
  if (ports.length === 0) return NONE;
  return ports
    .map((port) => {
      if (!isJsonObject(port)) return '';
      const node = port.nodePort ? `:${String(port.nodePort)}` : '';
      return `${String(port.port)}${node}/${textOr(port.protocol, 'TCP')}`;
    })
    .join(',');
}

const MAX_ENDPOINTS = 3;

function firstFew(list: readonly string[], max: number, none: string): string {
  if (list.length === 0) return none;
  if (list.length <= max) return list.join(',');
  return `${list.slice(0, max).join(',')} + ${list.length - max} more...`;
}

export const endpointsPrinter: Printer = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells(object, nowMs) {
    const all: string[] = [];
    for (const subset of listAt(object, 'subsets')) {
      const addresses = listAt(subset, 'addresses').map((address) => textAt(address, 'ip') ?? '');
      const ports = listAt(subset, 'ports');
      if (ports.length === 0) all.push(...addresses);
      for (const port of ports) {
        const number = isJsonObject(port) ? String(port.port) : '';
        for (const ip of addresses) all.push(isIPv6(ip) ? `[${ip}]:${number}` : `${ip}:${number}`);
      }
    }
    return [object.metadata.name, firstFew(all, MAX_ENDPOINTS, NONE), age(object.metadata.creationTimestamp, nowMs)];
  },
};

export const endpointSlicePrinter: Printer = {
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  cells(object, nowMs) {
    const ports = listAt(object, 'ports').map((port) => {
      const { name, port: number } = isJsonObject(port) ? port : {};
      return number === undefined ? `${textOr(name, '')}` : String(number);
    });
    const addresses = listAt(object, 'endpoints').flatMap((endpoint) => listAt(endpoint, 'addresses').map(String));
    return [
      object.metadata.name,
      textOr(object.addressType, ''),
      firstFew(ports, MAX_ENDPOINTS, UNSET),
      firstFew(addresses, MAX_ENDPOINTS, UNSET),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const ingressPrinter: Printer = {
  columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
  cells(object, nowMs) {
    const spec = specOf(object);
    const hosts = listAt(spec, 'rules').map((rule) => textAt(rule, 'host') || '*');
    return [
      object.metadata.name,
      textOr(spec.ingressClassName, NONE),
      firstFew(hosts.length === 0 ? ['*'] : hosts, MAX_ENDPOINTS, '*'),
      ingressOf(object).join(','),
      listAt(spec, 'tls').length > 0 ? '80, 443' : '80',
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const ingressClassPrinter: Printer = {
  columns: columns('Name', 'Controller', 'Parameters', 'Age'),
  cells(object, nowMs) {
    const parameters = objectAt(specOf(object), 'parameters');
    const group = parameters?.apiGroup ? `.${String(parameters.apiGroup)}` : '';
    return [
      object.metadata.name,
      textOr(specOf(object).controller, ''),
      parameters ? `${String(parameters.kind)}${group}/${String(parameters.name)}` : NONE,
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const networkPolicyPrinter: Printer = {
  columns: columns('Name', 'Pod-Selector', 'Age'),
  cells(object, nowMs) {
    return [
      object.metadata.name,
      selectorText(specOf(object).podSelector),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const serviceCidrPrinter: Printer = {
  columns: columns('Name', 'CIDRs', 'Age'),
  cells(object, nowMs) {
    return [
      object.metadata.name,
      listAt(specOf(object), 'cidrs').join(','),
      age(object.metadata.creationTimestamp, nowMs),
    ];
  },
};

export const ipAddressPrinter: Printer = {
  columns: columns('Name', 'ParentRef', 'Age'),
  cells(object, nowMs) {
    const parent = objectAt(specOf(object), 'parentRef') ?? {};
    const parts = [parent.resource, parent.namespace, parent.name].filter(
      (part) => typeof part === 'string' && part !== '',
    );
    return [object.metadata.name, parts.join('/'), age(object.metadata.creationTimestamp, nowMs)];
  },
};
