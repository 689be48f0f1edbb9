#!/bin/sh
# Examines a token of another make, and has it keep, use and destroy a KEK (tests/hsm/other.rs).
#
#   conformance/hsm/others.sh softhsm             SoftHSM2 itself: to see that the script works
#   conformance/hsm/others.sh kryoptic PATH       kryoptic (crates.io), PATH to libkryoptic_pkcs11.so. Built with static OpenSSL:
#                                                 KRYOPTIC_OPENSSL_SOURCES=… cargo build --release --lib --no-default-features
#                                                 --features standard,pqc,ossl/ossl-sys (needs clang)
#   conformance/hsm/others.sh opencryptoki        opencryptoki with its software token in slot 3, pkcsslotd running, the token
#                                                 initialised and its user PIN set (pkcsconf -I, -P, -u, -p), HSM_LABEL and HSM_PIN
#                                                 saying how. It has no AES-GCM and no ECDH: AES-CBC with HMAC, and no protected KEKs
#   conformance/hsm/others.sh module PATH         any module, with HSM_LABEL and HSM_PIN
#
# The token must be one that may be written to. Nothing stays in it.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case ${1:-} in
softhsm)
    mkdir "$folder/tokens"
    echo "directories.tokendir = $folder/tokens" >"$folder/softhsm2.conf"
    export SOFTHSM2_CONF="$folder/softhsm2.conf" HSM_MODULE="${2:-/usr/lib/softhsm/libsofthsm2.so}"
    export HSM_LABEL=others HSM_PIN=123456 HSM_OFFICER_PIN=654321
    ;;
kryoptic)
    printf '[[slots]]\nslot = 42\ndbtype = "sqlite"\ndbargs = "%s/token.sql"\n' "$folder" >"$folder/kryoptic.conf"
    export KRYOPTIC_CONF="$folder/kryoptic.conf" HSM_MODULE="$2"
    export HSM_LABEL=others HSM_PIN=12345678 HSM_OFFICER_PIN=87654321
    ;;
opencryptoki)
    export HSM_MODULE="${2:-/usr/lib/opencryptoki/libopencryptoki.so}"
    ;;
module)
    export HSM_MODULE="$2"
    ;;
*)
    sed -n '2,16p' "$0"
    exit 2
    ;;
esac
exec_test="cargo test -p claviger --test hsm -- --ignored --exact --nocapture other::another_token"
${HSM_TEST:-$exec_test}
