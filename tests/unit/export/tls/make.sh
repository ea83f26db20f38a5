#!/bin/sh
# Makes the certificates of this folder: an authority, a server on loopback and a client, valid for a hundred years.
# They protect nothing but test traffic on loopback.
set -eu
cd "$(dirname "$0")"
key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
key ca-key.pem
openssl req -x509 -new -key ca-key.pem -days 36500 -subj "/CN=test authority" -out ca.pem
for name in server client; do
    key "$name-key.pem"
    openssl req -new -key "$name-key.pem" -subj "/CN=$name" -out "$name.csr"
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 36500 -extfile "$name.ext" -out "$name.pem"
done
rm -f -- *.csr *.ext *.srl ca-key.pem
