export type Transport = 'tcp' | 'udp'
