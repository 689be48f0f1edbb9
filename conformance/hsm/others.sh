#!/bin/sh
# Examines a token of another make, and has it keep, use and destroy a KEK, and open a protected one (tests/hsm/other.rs).
#
#   conformance/hsm/others.sh softhsm             SoftHSM2 itself: to see that the script works
#   conformance/hsm/others.sh kryoptic [PATH]     kryoptic (crates.io). Without the path of a libkryoptic_pkcs11.so, it is built in
#                                                 target/kryoptic, for the system's OpenSSL: that takes libssl-dev, pkg-config and
#                                                 libclang (apt-get install libclang1 libclang-common-14-dev, or clang)
#   conformance/hsm/others.sh opencryptoki        opencryptoki (apt-get install opencryptoki), its software token in slot 3, which has neither
#                                                 AES-GCM nor ECDH: AES-CBC with HMAC, and RSA-OAEP. As root: a token that nobody has
#                                                 used is initialised, and pkcsslotd started if it does not run, and then ended. With
#                                                 HSM_LABEL and HSM_PIN one that is prepared already is used as it is
#   conformance/hsm/others.sh module PATH         any module, with HSM_LABEL and HSM_PIN
#
# The token must be one that may be written to. Nothing stays in it.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
slots=
finish() {
    rm -rf "$folder"
    [ -z "$slots" ] || kill "$slots" || true
}
trap finish EXIT

# kryoptic's features but EdDSA, for which OpenSSL 3.0 is too old.
KRYOPTIC=1.5.4
build_kryoptic() {
    mkdir -p target/kryoptic/src
    cat >target/kryoptic/Cargo.toml <<END
[package]
name = "kryoptic-module"
version = "0.0.0"
edition = "2024"

[lib]
name = "kryoptic_pkcs11"
crate-type = ["cdylib"]

[dependencies.kryoptic-lib]
version = "=$KRYOPTIC"
default-features = false
features = ["dynamic", "sqlitedb", "aes", "ecdsa", "ecdh", "ffdh", "hash_all", "kdf_all", "rsa"]

[workspace]
END
    cat >target/kryoptic/src/lib.rs <<'END'
use kryoptic_lib::pkcs11::*;

#[unsafe(no_mangle)]
pub extern "C" fn C_GetFunctionList(list: CK_FUNCTION_LIST_PTR_PTR) -> CK_RV {
    kryoptic_lib::fns::general::fn_get_function_list(list)
}
END
    ${CARGO:-cargo} build --quiet --manifest-path target/kryoptic/Cargo.toml --target-dir target/kryoptic/target
}

# SO PIN and user PIN are changed once each, as opencryptoki asks before anything else works. The token of an earlier run is used again.
prepare_opencryptoki() {
    if ! pgrep -x -r D,R,S pkcsslotd >/dev/null; then
        pkcsslotd
        sleep 1
        slots=$(pgrep -x -r D,R,S pkcsslotd)
    fi
    export HSM_LABEL=others HSM_PIN=33334444
    pkcsconf -t -c 3 >"$folder/token"
    ! grep -q "Label: others .*" "$folder/token" || return 0
    if ! grep -q SO_PIN_TO_BE_CHANGED "$folder/token"; then
        echo "the token in slot 3 is in use: HSM_LABEL and HSM_PIN say how it is used as it is" >&2
        exit 2
    fi
    echo others | pkcsconf -I -c 3 -S 87654321 >/dev/null
    pkcsconf -P -c 3 -S 87654321 -n 76543210
    pkcsconf -u -c 3 -S 76543210 -n 11112222
    pkcsconf -p -c 3 -U 11112222 -n $HSM_PIN
}

case ${1:-} in
softhsm)
    mkdir "$folder/tokens"
    echo "directories.tokendir = $folder/tokens" >"$folder/softhsm2.conf"
    export SOFTHSM2_CONF="$folder/softhsm2.conf" HSM_MODULE="${2:-/usr/lib/softhsm/libsofthsm2.so}"
    export HSM_LABEL=others HSM_PIN=123456 HSM_OFFICER_PIN=654321
    ;;
kryoptic)
    [ -n "${2:-}" ] || build_kryoptic
    printf '[[slots]]\nslot = 42\ndbtype = "sqlite"\ndbargs = "%s/token.sql"\n' "$folder" >"$folder/kryoptic.conf"
    export KRYOPTIC_CONF="$folder/kryoptic.conf"
    export HSM_MODULE="${2:-$PWD/target/kryoptic/target/debug/libkryoptic_pkcs11.so}"
    export HSM_LABEL=others HSM_PIN=12345678 HSM_OFFICER_PIN=87654321
    ;;
opencryptoki)
    for module in "${2:-}" /usr/lib/opencryptoki/libopencryptoki.so /usr/lib/*/opencryptoki/libopencryptoki.so.0; do
        [ -z "$module" ] || [ ! -e "$module" ] || break
    done
    export HSM_MODULE="$module"
    [ -n "${HSM_PIN:-}" ] || prepare_opencryptoki
    ;;
module)
    export HSM_MODULE="$2"
    ;;
*)
    sed -n '2,18p' "$0"
    exit 2
    ;;
esac
exec_test="cargo test -p claviger --test hsm -- --ignored --exact --nocapture other::another_token"
${HSM_TEST:-$exec_test}
