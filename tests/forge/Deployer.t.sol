// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Addresses, Exam, IDeployer} from "./support/Exam.sol";

// Deployer
// ├── deployNext
// │   ├── given other code than the next one's
// │   │   └── it reverts, also for code whose turn comes later
// │   ├── given too little gas for the creation
// │   │   └── it reverts, and the right code still goes to the right address later
// │   ├── given the next code, from anybody
// │   │   └── it creates the contract at the foretold address and says so
// │   └── when all six are there
// │       └── it reverts
// └── through the common CREATE2 deployer
//     └── the address is a function of the code alone
contract DeployerTest is Exam {
    address internal constant CREATE2_DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    IDeployer internal deployer;

    function setUp() public override {
        super.setUp();
        deployer = _deployer();
    }

    function test_deployNext__otherCode__reverts() external {
        bytes[6] memory codes = _codes();
        bytes32[6] memory hashes = _codeHashes();

        vm.expectRevert(abi.encodeWithSelector(IDeployer.WrongCode.selector, 0, hashes[0], keccak256("")));
        deployer.deployNext("");
        vm.expectRevert(abi.encodeWithSelector(IDeployer.WrongCode.selector, 0, hashes[0], hashes[1]));
        deployer.deployNext(codes[1]);

        deployer.deployNext(codes[0]);
        vm.expectRevert(abi.encodeWithSelector(IDeployer.WrongCode.selector, 1, hashes[1], hashes[0]));
        deployer.deployNext(codes[0]);
    }

    function test_deployNext__starvedOfGas__revertsAndCanBeRepeated() external {
        bytes memory code = _codes()[0];
        address expected = address(deployer.addresses().tasks);

        uint256 refused;
        for (uint256 gasLimit = 300_000; gasLimit < 1_300_000; gasLimit += 100_000) {
            uint256 snapshot = vm.snapshotState();
            try deployer.deployNext{gas: gasLimit}(code) returns (address at) {
                assertEq(at, expected);
                assertGt(at.code.length, 0);
            } catch {
                refused++;
                assertEq(deployer.next(), 0);
            }
            vm.revertToState(snapshot);
        }
        assertGt(refused, 0);
        assertEq(deployer.deployNext(code), expected);
    }

    function test_deployNext__rightCode__createsAtForetoldAddress() external {
        bytes[6] memory codes = _codes();
        Addresses memory all = deployer.addresses();
        address[6] memory expected = abi.decode(abi.encode(all), (address[6]));
        for (uint256 i = 0; i < 6; i++) {
            assertEq(deployer.next(), i);
            assertEq(deployer.codeHashOf(i), keccak256(codes[i]));
            assertEq(expected[i], vm.computeCreateAddress(address(deployer), i + 1));
            vm.expectEmit(address(deployer));
            emit IDeployer.ContractDeployed(i, expected[i]);
            vm.prank(i % 2 == 0 ? stranger : challenger);
            assertEq(deployer.deployNext(codes[i]), expected[i]);
            assertGt(expected[i].code.length, 0);
            assertLe(expected[i].code.length, 24_576);
        }
    }

    function test_deployNext__allDeployed__reverts() external {
        IDeployer full = _deployer();
        bytes[6] memory codes = _codes();
        for (uint256 i = 0; i < 6; i++) {
            assertEq(full.codeHashOf(i), keccak256(codes[i]));
            full.deployNext(codes[i]);
        }
        vm.expectRevert(IDeployer.AllDeployed.selector);
        full.deployNext(codes[5]);
    }

    function test_create2__sameCode__sameAddress() external {
        bytes memory initCode = abi.encodePacked(vm.getCode("Deployer.sol:Deployer"), abi.encode(_codeHashes()));
        address expected = vm.computeCreate2Address(bytes32(0), keccak256(initCode), CREATE2_DEPLOYER);
        assertGt(CREATE2_DEPLOYER.code.length, 0, "the common deployer");

        (bool accepted, bytes memory result) = CREATE2_DEPLOYER.call(abi.encodePacked(bytes32(0), initCode));

        assertTrue(accepted);
        assertEq(address(bytes20(result)), expected);
        assertEq(address(IDeployer(expected).addresses().tasks), vm.computeCreateAddress(expected, 1));
    }
}
